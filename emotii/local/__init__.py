"""What the command line does on this machine: child processes, folders, ports, webcam, private server."""
