; Namespaces are left out: half of all files name theirs in a line of its own, around nothing.
((class_declaration name: (_) @name body: (_)? @body) @def (#set! kind "class"))
((record_declaration name: (_) @name body: (_)? @body) @def (#set! kind "class"))
((interface_declaration name: (_) @name body: (_)? @body) @def (#set! kind "interface"))
((struct_declaration name: (_) @name body: (_)? @body) @def (#set! kind "struct"))
((enum_declaration name: (_) @name body: (_)? @body) @def (#set! kind "enum"))
((enum_member_declaration name: (_) @name) @def (#set! kind "constant"))
((delegate_declaration name: (_) @name) @def (#set! kind "type"))
((method_declaration name: (_) @name body: (_)? @body) @def (#set! kind "method"))
((constructor_declaration name: (_) @name body: (_)? @body) @def (#set! kind "method"))
((local_function_statement name: (_) @name body: (_)? @body) @def (#set! kind "function"))
; Properties with code are methods, the others values.
((property_declaration name: (_) @name value: (arrow_expression_clause) @body) @def (#set! kind "method"))
((property_declaration name: (_) @name
  accessors: (accessor_list (accessor_declaration body: (_))) @body) @def (#set! kind "method"))
((property_declaration name: (_) @name accessors: (_) @body) @def (#set! kind "constant"))
((event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @def (#set! kind "constant"))
((field_declaration (modifier "const") (variable_declaration (variable_declarator name: (_) @name))) @def
  (#set! kind "constant"))
((field_declaration (modifier "static") (modifier "readonly")
  (variable_declaration (variable_declarator name: (_) @name))) @def (#set! kind "constant"))
((using_directive) @def (#set! role "import") (#set! kind "using"))
