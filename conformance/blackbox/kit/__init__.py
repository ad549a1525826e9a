"""What adapters are made with. It is copied to nobody: its folder is put on the module path of the adapter's own environment."""
