"""What a network looks at in one face. Needs TensorFlow, since it asks for what lies between input and output."""
