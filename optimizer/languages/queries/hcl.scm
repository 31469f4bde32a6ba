((block . (identifier) @callee . (string_lit (template_literal) @scope) . (string_lit (template_literal) @name) .
  (block_start) @body) @definition.struct (#set! callee "resource data ephemeral"))
((block . (identifier) @callee . (string_lit (template_literal) @name) . (block_start) @body) @definition.module
  (#set! callee "module provider"))
((block . (identifier) @callee . (string_lit (template_literal) @name) . (block_start) @body) @definition.constant
  (#set! callee "variable output"))
((block . (identifier) @callee (body (attribute . (identifier) @name) @definition.constant)) (#set! callee "locals"))
((attribute . (identifier) @callee (expression (literal_value (string_lit)))) @reference.import
  (#set! callee "source") (#set! kind "source"))
