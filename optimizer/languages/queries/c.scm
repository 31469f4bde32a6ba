((function_definition declarator: [
  (function_declarator declarator: (_) @name)
  (pointer_declarator declarator: (function_declarator declarator: (_) @name))
  (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name)))
] body: (_) @body) @def (#set! kind "function"))
((struct_specifier name: (type_identifier) @name body: (_) @body) @def (#set! kind "struct"))
((union_specifier name: (type_identifier) @name body: (_) @body) @def (#set! kind "struct"))
((enum_specifier name: (type_identifier) @name body: (_) @body) @def (#set! kind "enum"))
((enumerator name: (_) @name) @def (#set! kind "constant"))
((type_definition declarator: (type_identifier) @name) @def (#set! kind "type"))
((type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @def (#set! kind "type"))
((type_definition declarator: (function_declarator declarator: (parenthesized_declarator
  (pointer_declarator declarator: (type_identifier) @name)))) @def (#set! kind "type"))
((preproc_def name: (_) @name value: (_)) @def (#set! kind "constant"))
((preproc_function_def name: (_) @name) @def (#set! kind "macro"))
((declaration declarator: (init_declarator declarator: [
  (identifier) @name
  (array_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (identifier) @name)
])) @def (#set! kind "constant"))
((preproc_include path: (_)) @def (#set! role "import") (#set! kind "include"))
