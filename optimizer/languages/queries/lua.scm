(function_declaration name: [
  (identifier) @name
  (dot_index_expression table: (_) @scope field: (_) @name)
  (method_index_expression table: (_) @scope method: (_) @name)
] parameters: (_) @head) @definition.function
; Functions that are given a name by what they are assigned to.
(assignment_statement
  (variable_list . name: [(identifier) @name (dot_index_expression table: (_) @scope field: (_) @name)])
  (expression_list . value: (function_definition parameters: (_) @head))) @definition.function
(field name: (identifier) @name value: (function_definition parameters: (_) @head)) @definition.function
(chunk (assignment_statement (variable_list . name: [
  (identifier) @name (dot_index_expression table: (_) @scope field: (_) @name)
])) @definition.constant)
(chunk (variable_declaration (assignment_statement (variable_list . name: (identifier) @name)) @definition.constant))
(variable_declaration (assignment_statement) @inner) @wide
((function_call name: (identifier) @callee arguments: (arguments . (string))) @reference.import
  (#set! callee "require dofile loadfile"))

; Names, and the calls among them.
(identifier) @reference
(function_call name: [
  (identifier) @name
  (dot_index_expression field: (identifier) @name)
  (method_index_expression method: (identifier) @name)
]) @reference.call
