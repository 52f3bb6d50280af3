"""The cast of the demo: invented people at reserved addresses, and the templates that write to them."""
