"""`transformers:ID_OR_PATH`: vision models, text models and dual encoders."""
