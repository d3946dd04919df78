"""The only room that speaks HTTP to third parties.

`base` and `reports` are the contract of a provider, `registry` lists those there are. Each provider has a folder of its
own: what it can do as data, and its client. They share `http` (the wire) and `parsing` (what answers mean).
"""
