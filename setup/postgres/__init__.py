"""A private PostgreSQL for development and tests, found on this machine or unpacked from Debian's packages."""
