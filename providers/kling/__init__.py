"""Kling: finds a submission by our own name for it, tells the price of each task, signs its callbacks."""
