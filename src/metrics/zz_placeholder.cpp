// first file of the floor
