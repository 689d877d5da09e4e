"""Pure interpreter of a norm's behaviour: norm + population + state + request -> answer + effects."""
