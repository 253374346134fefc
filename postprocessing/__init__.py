"""From outcomes to ordered, smoothed readings and episodes. Pure: no clock, no Redis."""
