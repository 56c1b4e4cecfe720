-- Foreign keys of crm, messages and helpdesk to tables that load after them.
ALTER TABLE customer
  ADD CONSTRAINT customer_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id);
ALTER TABLE order_link
  ADD CONSTRAINT order_link_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id);
ALTER TABLE feedback
  ADD CONSTRAINT feedback_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT feedback_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id);
ALTER TABLE warranty
  ADD CONSTRAINT warranty_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT warranty_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id),
  ADD CONSTRAINT warranty_line_fk FOREIGN KEY (fulfilment_line_id) REFERENCES fulfilment_line (id),
  ADD CONSTRAINT warranty_product_fk FOREIGN KEY (product_id) REFERENCES product (id),
  ADD CONSTRAINT warranty_unit_fk FOREIGN KEY (unit_id) REFERENCES unit (id);
ALTER TABLE message
  ADD CONSTRAINT message_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT message_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id),
  ADD CONSTRAINT message_po_fk FOREIGN KEY (po_id) REFERENCES purchase_order (id);
ALTER TABLE problem
  ADD CONSTRAINT problem_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT problem_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id),
  ADD CONSTRAINT problem_closed_by_fk FOREIGN KEY (closed_by) REFERENCES person (id);
ALTER TABLE problem
  ADD CONSTRAINT problem_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id),
  ADD CONSTRAINT problem_owner_fk FOREIGN KEY (owner_id) REFERENCES person (id);
ALTER TABLE ticket
  ADD CONSTRAINT ticket_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id),
  ADD CONSTRAINT ticket_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT ticket_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id),
  ADD CONSTRAINT ticket_opened_by_fk FOREIGN KEY (opened_by) REFERENCES person (id);
ALTER TABLE ticket_message
  ADD CONSTRAINT ticket_message_person_fk FOREIGN KEY (person_id) REFERENCES person (id);
ALTER TABLE ticket_photo
  ADD CONSTRAINT ticket_photo_blob_fk FOREIGN KEY (sha256) REFERENCES blob (sha256),
  ADD CONSTRAINT ticket_photo_added_by_fk FOREIGN KEY (added_by) REFERENCES person (id);
ALTER TABLE message
  ADD CONSTRAINT message_problem_fk FOREIGN KEY (problem_id) REFERENCES problem (id),
  ADD CONSTRAINT message_visit_fk FOREIGN KEY (visit_id) REFERENCES visit (id);
ALTER TABLE customer_order
  ADD CONSTRAINT customer_order_closed_by_fk FOREIGN KEY (closed_by) REFERENCES person (id);
ALTER TABLE message
  ADD CONSTRAINT message_reply_fk FOREIGN KEY (reply_to) REFERENCES message_inbound (id);
ALTER TABLE contact_preference
  ADD CONSTRAINT contact_preference_set_by_fk FOREIGN KEY (set_by) REFERENCES person (id);
ALTER TABLE message_template
  ADD CONSTRAINT message_template_written_by_fk FOREIGN KEY (written_by) REFERENCES person (id);
ALTER TABLE message_rule
  ADD CONSTRAINT message_rule_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id),
  ADD CONSTRAINT message_rule_set_by_fk FOREIGN KEY (set_by) REFERENCES person (id);
