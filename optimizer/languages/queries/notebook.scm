; A notebook that is not complete JSON is read as JSON, for its errors; it defines nothing.
