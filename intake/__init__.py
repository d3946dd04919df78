"""Where a request becomes an accepted video, whether it came over HTTP or from the queue."""
