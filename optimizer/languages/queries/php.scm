(function_definition name: (_) @name body: (_) @body) @definition.function
(method_declaration name: (_) @name body: (_)? @body) @definition.method
(class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(trait_declaration name: (_) @name body: (_) @body) @definition.trait
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(const_element . (name) @name) @definition.constant
((function_call_expression function: (name) @callee
  arguments: (arguments . (argument [(string (string_content) @name) (encapsed_string (string_content) @name)]))) @definition.constant
  (#set! callee "define"))
(const_declaration (const_element) @inner) @line
((namespace_definition name: (_) @reference.import) (#set! kind "package"))
((namespace_use_declaration) @reference.import (#set! kind "use"))
([(include_expression) (include_once_expression) (require_expression) (require_once_expression)] @reference.import (#set! kind "include"))

; Names, and the calls among them.
[(name) (primitive_type)] @reference
(function_call_expression function: [(name) @name (qualified_name (name) @name .)]) @reference.call
(member_call_expression name: (name) @name) @reference.call
(nullsafe_member_call_expression name: (name) @name) @reference.call
(scoped_call_expression name: (name) @name) @reference.call
(object_creation_expression . [(name) @name (qualified_name (name) @name .)]) @reference.call
(variable_name (name) @name) @ignore
