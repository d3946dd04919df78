-- How far each machine's wall clock was ahead of its steady one: whoever starts later still sees that it was put forward.

CREATE TABLE clocks (
    machine TEXT NOT NULL PRIMARY KEY,       -- and its boot, for the steady clock begins anew with each
    ahead   DOUBLE PRECISION NOT NULL
);
