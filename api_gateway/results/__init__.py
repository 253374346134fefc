"""From the results streams to smoothed readings and episodes."""
