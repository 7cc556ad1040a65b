"""Tasks that create campaigns, act on them and read them."""
