"""Drawing on pictures and hiding faces in them."""
