/// Shows today's group, route and weather, signal or not.
void main() {}
