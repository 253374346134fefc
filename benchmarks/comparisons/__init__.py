"""What Emotii is compared with."""
