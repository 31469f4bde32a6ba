; A notebook that is not whole JSON is read as JSON, for its errors; in it nothing is defined.
