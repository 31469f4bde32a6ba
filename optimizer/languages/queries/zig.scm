(function_declaration name: (identifier) @name body: (block)? @body) @definition.function
(variable_declaration . (identifier) @name [
  (struct_declaration) (union_declaration) (opaque_declaration)
]) @definition.struct
(variable_declaration . (identifier) @name [(enum_declaration) (error_set_declaration)]) @definition.enum
(source_file (variable_declaration . (identifier) @name) @definition.constant)
((builtin_function (arguments . (string))) @reference.import (#set! kind "import"))

; Names, and the calls among them.
(identifier) @reference
(call_expression function: [
  (identifier) @name
  (field_expression member: (identifier) @name)
]) @reference.call
