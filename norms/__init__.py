"""What each norm says: norm versions as data folders, and the library that reads, checks and speaks them."""
