"""How fast Emotii is: a question a module, asked by `make bench`; and scripts that settled single choices."""
