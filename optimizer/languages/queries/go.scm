(function_declaration name: (identifier) @name body: (_)? @body) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (_) @scope)) name: (_) @name body: (_)? @body) @definition.method
(type_spec name: (_) @name type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (_) @name type: (interface_type)) @definition.interface
(type_spec name: (_) @name) @definition.type
(type_alias name: (_) @name) @definition.type
(interface_type (method_elem name: (_) @name) @definition.method)
(source_file (const_declaration (const_spec name: (identifier) @name) @definition.constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @definition.constant))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @definition.constant)))
(type_declaration (_) @inner) @line
(const_declaration (const_spec) @inner) @line
(var_declaration (var_spec) @inner) @line
((import_spec) @reference.import (#set! kind "import"))

; Names, and the calls among them.
[(field_identifier) (identifier) (package_identifier) (type_identifier)] @reference
(call_expression function: [(identifier) @name (selector_expression field: (field_identifier) @name)]) @reference.call
