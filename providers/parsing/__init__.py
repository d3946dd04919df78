"""What answers mean: read from any bytes whatever, without trusting any of them."""
