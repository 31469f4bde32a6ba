(section . (atx_heading heading_content: (_) @name @head)) @definition.section
(setext_heading heading_content: (_) @name @head) @definition.section
