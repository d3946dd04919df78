"""The shapes that cross a process boundary: request, video, event, problem. No I/O."""
