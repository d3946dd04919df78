"""A typed client of the service, for Python programs and for our own command line.

```python
from reelbus.client import Client

with Client("http://127.0.0.1:8080", api_key="…") as reelbus:
    video = reelbus.submit("house.jpg", "zoom_in", metadata={"listing": "42"})
    video = reelbus.wait(video["id"])  # until it is ready or failed
    for event in reelbus.events():  # as they are decided, over HTTP
        print(event["type"], event["subject"])
```

A subscriber on RabbitMQ reads a message's body with `read_event`. Documents are plain dictionaries with types
(`Video`, `Event` …); a newer service may add members. Refusals are raised as `ServiceError`, which has the problem's
`code` to branch on; a service that cannot be reached raises `ServiceAway`. The client is for one thread at a time.
"""

from reelbus.client.documents import Attempt, BatchResult, Cancellation, Event, Failure, Page, Refund, Video
from reelbus.client.errors import NoEvent, ServiceAway, ServiceError
from reelbus.client.events import read_event
from reelbus.client.http import Client, Picture

__all__ = [
    "Attempt",
    "BatchResult",
    "Cancellation",
    "Client",
    "Event",
    "Failure",
    "NoEvent",
    "Page",
    "Picture",
    "Refund",
    "ServiceAway",
    "ServiceError",
    "Video",
    "read_event",
]
