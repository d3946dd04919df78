"""Addresses of results that no service should pass on."""

HOSTILE: list[object] = [
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://user:password@example.invalid/video.mp4",
    "https://example.invalid/" + "a" * 100_000,
    "file:///etc/passwd",
    "",
    None,
    7,
    {"nested": ["javascript:alert(2)"]},
]

PRIVATE = "http://169.254.169.254/latest/meta-data/video.mp4"
