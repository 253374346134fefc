"""From outcomes to ordered, smoothed readings and episodes; it uses neither a clock nor Redis."""
