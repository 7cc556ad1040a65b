"""The recipients of a campaign, as operators take them."""
