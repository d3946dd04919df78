"""What reelbus is compared with: the straightforward ways to the same end, small and fair, each a process."""
