"""Network definitions, the manifest of bundled weights, and the loader that checks them."""
