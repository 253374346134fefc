"""The subcommands of `emotii`."""
