"""The jobs service: recordings that were handed in over REST, analysed one after the other."""
