"""Playing a hostile provider towards an adapter, to see what it guarantees."""
