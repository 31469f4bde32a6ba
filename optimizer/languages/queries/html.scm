((element [(start_tag (attribute (attribute_name) @callee [
  (attribute_value) @name (quoted_attribute_value (attribute_value) @name)
])) @head (self_closing_tag (attribute (attribute_name) @callee [
  (attribute_value) @name (quoted_attribute_value (attribute_value) @name)
])) @head]) @definition.section (#set! callee "id"))
