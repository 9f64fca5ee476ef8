"""What a catalogue holds, made safe and clean for a model: images, texts, text templates."""
