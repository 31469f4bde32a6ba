((function_declaration name: [
  (identifier) @name
  (dot_index_expression table: (_) @scope field: (_) @name)
  (method_index_expression table: (_) @scope method: (_) @name)
] parameters: (_) @head) @def (#set! kind "function"))
; Functions that are given a name by what they are assigned to.
((assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression table: (_) @scope field: (_) @name)])
  (expression_list . value: (function_definition parameters: (_) @head))) @def (#set! kind "function"))
((field name: (identifier) @name value: (function_definition parameters: (_) @head)) @def (#set! kind "function"))
((chunk (assignment_statement (variable_list . name: [
  (identifier) @name (dot_index_expression table: (_) @scope field: (_) @name)
])) @def) (#set! kind "constant"))
((chunk (variable_declaration (assignment_statement (variable_list . name: (identifier) @name)) @def))
  (#set! kind "constant"))
((variable_declaration (assignment_statement) @inner) @wide (#set! role "wide"))
((function_call name: (identifier) @callee arguments: (arguments . (string))) @def
  (#set! callee "require dofile loadfile") (#set! role "import"))
