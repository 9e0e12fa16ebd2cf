"""Models of other types than chat: embeddings, images, speech, transcriptions, rankings and moderations."""
