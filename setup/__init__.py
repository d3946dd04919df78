"""What `make` needs before anything of ours is installed: the standard library is all there is."""
