((function_definition name: (_) @name body: (_) @body) @def (#set! kind "function"))
((method_declaration name: (_) @name body: (_)? @body) @def (#set! kind "method"))
((class_declaration name: (_) @name body: (_) @body) @def (#set! kind "class"))
((interface_declaration name: (_) @name body: (_) @body) @def (#set! kind "interface"))
((trait_declaration name: (_) @name body: (_) @body) @def (#set! kind "trait"))
((enum_declaration name: (_) @name body: (_) @body) @def (#set! kind "enum"))
((const_element . (name) @name) @def (#set! kind "constant"))
((function_call_expression function: (name) @callee
  arguments: (arguments . (argument [(string (string_content) @name) (encapsed_string (string_content) @name)]))) @def
  (#set! callee "define") (#set! kind "constant"))
((const_declaration (const_element) @inner) @wide (#set! role "line"))
((namespace_use_declaration) @def (#set! role "import") (#set! kind "use"))
([(include_expression) (include_once_expression) (require_expression) (require_once_expression)] @def
  (#set! role "import") (#set! kind "include"))
