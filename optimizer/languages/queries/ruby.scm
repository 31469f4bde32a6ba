((class name: (_) @name superclass: (_)? @head) @def (#set! kind "class"))
((module name: (_) @name) @def (#set! kind "module"))
((method name: (_) @name parameters: (_)? @head) @def (#set! kind "function"))
((singleton_method name: (_) @name parameters: (_)? @head) @def (#set! kind "function"))
((assignment left: (constant) @name) @def (#set! kind "constant"))
((call !receiver method: (identifier) @callee arguments: (argument_list . (string))) @def
  (#set! callee "require require_relative load") (#set! role "import"))
((call !receiver method: (identifier) @callee arguments: (argument_list . (simple_symbol) . (string))) @def
  (#set! callee "autoload") (#set! role "import"))
