"""What reactions could not take, in every service that has some, and releasing it with four eyes."""
