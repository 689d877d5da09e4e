"""How a norm is spoken: SOAP, WS-Security, trust, and the HTTPS listener. Shared by both ends of the wire."""
