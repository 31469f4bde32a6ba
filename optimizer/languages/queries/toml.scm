((document (pair . (_) @name) @def) (#set! kind "section"))
((table . (_) @name) @def (#set! kind "section"))
((table_array_element . (_) @name) @def (#set! kind "section"))
