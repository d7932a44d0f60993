"""The web page: its own read models of everybody's facts; forms call the owners as the person who clicks."""
