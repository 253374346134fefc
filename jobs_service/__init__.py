"""The jobs service: analyses recordings, one after the other, that were uploaded over REST."""
