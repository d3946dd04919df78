"""Stand-ins for the providers: their documented wire protocols, spoken on loopback.

An independent reading of the providers' pages, so it imports nothing of reelbus. One process and
one port serve IACrea's and HomeDesigns' paths, the finished clips under `/clips/`, and the control
routes under `/sandbox/` by which a test chooses what goes wrong and reads what was seen.

What a submission meets is chosen in this order: the next entry queued with `POST /sandbox/plan`;
a marker such as `sandbox: fail` in IACrea's prompt, in the picture's address (`?sandbox=fail`), in
its file name, or in its last bytes; the weights set with `POST /sandbox/behaviours`. A marker may go
on with a number of times and a number of seconds: `sandbox: http-503 x2`, `sandbox: stuck-then-late 5s`.
`GET /sandbox/behaviours` lists every name.

What it does not do: it keeps nothing over a restart, it reaches no host beyond loopback (and those
named in its settings), and it proves only that reelbus fits the providers' pages, not the providers.
"""
