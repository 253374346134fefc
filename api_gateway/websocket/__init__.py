"""Events to the clients of `/ws/emotions`."""
